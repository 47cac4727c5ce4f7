terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "hubspot_access_token" {
  description = "Token of a private app with the scope transactional-email. Leave it out to use HUBSPOT_ACCESS_TOKEN."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  hubspot = {
    access_token = var.hubspot_access_token
    api_version  = "2026-03"
  }
}

resource "smtp_credential_password" "newsletter" {
  hubspot          = { user_name = "zh48wgsfld@62515.smtp.hubspot.net" }
  rotation_trigger = "2026-Q4"

  # For an account in the EU:
  # smtp_host = "smtp-eu1.hubapi.com"

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
