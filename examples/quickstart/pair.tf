terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

provider "smtp" {
  kirim_email = {}
}

variable "quarter" {
  type    = string
  default = "2026-Q4"
}

variable "smtp_port" {
  type    = number
  default = 587
}

resource "smtp_credential_pair" "newsletter" {
  kirim_email = [
    { domain = "example.com", credential_guid = "5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a01" },
    { domain = "example.com", credential_guid = "5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a02" },
  ]
  rotation_trigger = var.quarter                                  # change it, and the other credential is reset
  verify           = { host = "localhost", port = var.smtp_port } # it takes over once its new password has logged in
}

output "username" {
  value = smtp_credential_pair.newsletter.username
}

output "password" {
  value     = smtp_credential_pair.newsletter.password
  sensitive = true
}
