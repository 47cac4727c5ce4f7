terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "smtpd_api_key" {
  description = "API key with the role iac, for this provider alone. Leave it out to use SMTPD_API_KEY."
  type        = string
  default     = null
}

variable "smtpd_api_secret" {
  description = "Secret of that API key. Leave it out to use SMTPD_API_SECRET."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  smtpd = {
    api_key    = var.smtpd_api_key
    api_secret = var.smtpd_api_secret
  }
}

resource "smtp_credential_password" "newsletter" {
  smtpd = {
    name = "newsletter"
    role = "send_only"
  }
  rotation_trigger = "2026-Q4"

  # The new key is in the state before the old one is revoked.
  lifecycle {
    create_before_destroy = true
  }
}

output "smtpd" {
  description = "What a client of the API needs."
  sensitive   = true
  value = {
    key    = smtp_credential_password.newsletter.username
    secret = smtp_credential_password.newsletter.password
  }
}
