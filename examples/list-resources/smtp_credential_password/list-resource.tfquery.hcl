list "smtp_credential_password" "all" {
  provider = smtp
  limit    = 1000

  config {
    hubspot = {}
  }
}
