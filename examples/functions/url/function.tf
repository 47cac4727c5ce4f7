output "relay_url" {
  value = provider::smtp::url(
    smtp_credential_password.newsletter.username,
    smtp_credential_password.newsletter.password,
    "relay.example.com",
    2465,
    "tls",
  )
  sensitive = true
}
