terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

provider "smtp" {
  hubspot = {} # HUBSPOT_ACCESS_TOKEN, and HUBSPOT_BASE_URL for the sandbox
}

variable "user_name" {
  type    = string
  default = "zh48wgsfld@62515.smtp.hubspot.net"
}

variable "quarter" {
  type    = string
  default = "2026-Q4"
}

resource "smtp_credential_password" "newsletter" {
  hubspot          = { user_name = var.user_name }
  rotation_trigger = var.quarter # change it, and the password is reset
}

output "password" {
  value     = smtp_credential_password.newsletter.password
  sensitive = true
}
