terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "kirim_email_username" {
  description = "User name of the account. Leave it out to use KIRIM_EMAIL_USERNAME."
  type        = string
  default     = null
}

variable "kirim_email_api_key" {
  description = "API key of the account. Leave it out to use KIRIM_EMAIL_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  kirim_email = {
    username = var.kirim_email_username
    api_key  = var.kirim_email_api_key
  }
}

resource "smtp_credential_password" "newsletter" {
  kirim_email = {
    domain          = "example.com"
    credential_guid = "92703823-f3a4-48e2-8e87-7adf25454800"
  }
  rotation_trigger = "2026-Q4"

  # As the account's panel shows them: the API does not tell.
  smtp_host = "smtp.example.com"
  smtp_port = 587

  lifecycle {
    create_before_destroy = true
  }
}

output "smtp" {
  description = "What a mail library needs."
  sensitive   = true
  value = {
    host     = smtp_credential_password.newsletter.smtp_host
    port     = smtp_credential_password.newsletter.smtp_port
    username = smtp_credential_password.newsletter.username
    password = smtp_credential_password.newsletter.password
  }
}
