terraform {
  required_providers {
    smtp = {
      source = "smtp-credentials/smtp"
    }
  }
}

provider "smtp" {
  hubspot = {} # the token comes from HUBSPOT_ACCESS_TOKEN
}
