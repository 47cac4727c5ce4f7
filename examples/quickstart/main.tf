terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

provider "smtp" {
  kirim_email = {} # KIRIM_EMAIL_USERNAME and KIRIM_EMAIL_API_KEY, and KIRIM_EMAIL_BASE_URL for the sandbox
}

variable "credential" {
  type = object({ domain = string, credential_guid = string })
  default = {
    domain          = "example.com"
    credential_guid = "92703823-f3a4-48e2-8e87-7adf25454800"
  }
}

variable "quarter" {
  type    = string
  default = "2026-Q4"
}

variable "smtp_port" {
  type    = number
  default = 587
}

resource "smtp_credential_password" "newsletter" {
  kirim_email        = var.credential
  rotation_trigger   = var.quarter                                  # change it, and the password is reset
  verify             = { host = "localhost", port = var.smtp_port } # log in with it before the apply reports success
  on_external_change = "rotate"                                     # follow somebody else's reset with one of our own

  lifecycle {
    create_before_destroy = true # the old password stays in state until the new one is there
  }
}

output "password" {
  value     = smtp_credential_password.newsletter.password
  sensitive = true
}
