terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "tenant_id" {
  description = "Entra tenant. Leave it out to use ARM_TENANT_ID."
  type        = string
  default     = null
}

variable "client_id" {
  description = "Client id of the application that the provider logs in as. Leave it out to use ARM_CLIENT_ID."
  type        = string
  default     = null
}

variable "client_secret" {
  description = "Client secret of that application. Leave it out to use ARM_CLIENT_SECRET, or OIDC with ARM_USE_OIDC."
  type        = string
  default     = null
  sensitive   = true
}

provider "smtp" {
  azure_communication = {
    tenant_id     = var.tenant_id
    client_id     = var.client_id
    client_secret = var.client_secret
  }
}

resource "smtp_credential_password" "newsletter" {
  azure_communication = {
    application_object_id = "03ef14b0-ca33-4840-8f4f-d6e91916010e"
    username              = "acs-mail|2f0d6e3b-8c47-4a15-b9e2-7d31c5a0f864|b4f1c2d3-7a58-4e0b-9c61-2f5d8e3a7b90"
  }
  rotation_trigger = "2026-Q4"
  # A client secret expires after two years.
  rotate_after = "180d"

  # The new secret is in the state before the old one is removed.
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
