variable "age_recipients" {
  description = "The public keys of those who may read the password (age1…)."
  type        = list(string)
}

resource "smtp_credential_password" "newsletter" {
  hubspot          = { user_name = "zh48wgsfld@62515.smtp.hubspot.net" }
  age_recipients   = var.age_recipients
  rotation_trigger = "2026-Q4"
}

output "encrypted_password" {
  value = smtp_credential_password.newsletter.encrypted_password
}
