terraform {
  required_version = ">= 1.8"

  required_providers {
    smtp = {
      source  = "smtp-credentials/smtp"
      version = ">= 0.2.0"
    }
  }
}
