terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "resend_api_key" {
  description = "API key with the permission full_access, for this provider alone. Leave it out to use RESEND_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  resend = {
    api_key = var.resend_api_key
  }
}

resource "smtp_credential_password" "newsletter" {
  resend = {
    name = "newsletter"
  }
  rotation_trigger = "2026-Q4"

  # The new key is in the state before the old one is revoked.
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
