terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "mailgun_api_key" {
  description = "API key of the account. Leave it out to use MAILGUN_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  mailgun = {
    api_key = var.mailgun_api_key
  }
}

resource "smtp_credential_password" "newsletter" {
  mailgun = {
    domain = "example.com"
    login  = "newsletter"
  }
  rotation_trigger = "2026-Q4"
  rotation_mode    = "in_place"
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
