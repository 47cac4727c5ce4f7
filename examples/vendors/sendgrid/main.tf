terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "sendgrid_api_key" {
  description = "API key for this provider alone, which may create, read and delete keys. Leave it out to use SENDGRID_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  sendgrid = {
    api_key = var.sendgrid_api_key
  }
}

resource "smtp_credential_password" "newsletter" {
  sendgrid = {
    name = "newsletter"
    # By default, the key may send mail and nothing else.
    # scopes = ["mail.send", "stats.read"]
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
