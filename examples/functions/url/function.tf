output "smtp_url" {
  value     = provider::smtp::url(smtp_credential_password.newsletter, "nodemailer")
  sensitive = true
}

output "relay_url" {
  value = provider::smtp::url(
    merge(smtp_credential_password.newsletter, { smtp_host = "relay.example.com", smtp_port = 2465 }),
    "tls",
    "dj-email-url",
  )
  sensitive = true
}
