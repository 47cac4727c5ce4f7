data "smtp_credentials" "all" {
  hubspot = {}
}

data "smtp_credentials" "mailboxes" {
  hostup = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3" }
}

data "smtp_credentials" "of_domain" {
  kirim_email = { domain = "example.com" }
}

data "smtp_credentials" "api_keys" {
  smtpd = {}
}

output "ids" {
  value = data.smtp_credentials.all.credentials[*].id
}
