resource "smtp_credential_pair" "newsletter" {
  hubspot = [
    { user_name = "newsletter-a@62515.smtp.hubspot.net" },
    { user_name = "newsletter-b@62515.smtp.hubspot.net" },
  ]
  rotation_trigger = "2026-Q4"
}
