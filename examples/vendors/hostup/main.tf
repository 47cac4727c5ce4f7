terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "hostup_api_key" {
  description = "API key with the scopes read:hosting and write:hostingconsole:services. Leave it out to use HOSTUP_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

variable "hostup_account_id" {
  description = "Id of the shared-hosting account."
  type        = string
  default     = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3"
}

provider "smtp" {
  hostup = {
    api_key = var.hostup_api_key
  }
}

resource "smtp_credential_password" "info" {
  hostup = {
    account_id = var.hostup_account_id
    address    = "info@example.com"
  }
  rotation_trigger = "2026-Q4"
  rotation_mode    = "in_place"

  # A change of it resets the password, too.
  password_policy = { length = 40 }
}

output "smtp" {
  description = "What a mail library needs."
  sensitive   = true
  value = {
    host     = smtp_credential_password.info.smtp_host
    port     = smtp_credential_password.info.smtp_port
    username = smtp_credential_password.info.username
    password = smtp_credential_password.info.password
  }
}
