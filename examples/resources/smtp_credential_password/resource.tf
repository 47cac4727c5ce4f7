resource "smtp_credential_password" "newsletter" {
  hubspot          = { user_name = "zh48wgsfld@62515.smtp.hubspot.net" }
  rotation_trigger = "2026-Q4" # change it, and the password is reset

  lifecycle {
    create_before_destroy = true # the old password stays in state until the new one is there
  }
}

output "smtp_password" {
  value     = smtp_credential_password.newsletter.password
  sensitive = true
}
