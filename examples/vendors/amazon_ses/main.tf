terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

variable "aws_profile" {
  description = "Profile in the shared AWS configuration. Leave it out to use the environment, or the role of the machine."
  type        = string
  default     = null
}

provider "smtp" {
  amazon_ses = {
    profile = var.aws_profile
  }
}

resource "smtp_credential_password" "newsletter" {
  amazon_ses = {
    user_name = "ses-newsletter"
    region    = "eu-central-1"
  }
  rotation_trigger = "2026-Q4"

  # The new key is in the state before the old one is deleted.
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
