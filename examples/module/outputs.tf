# Exactly one of the two resources exists.

output "encrypted_password" {
  description = "The password, encrypted to `age_recipients`; null without them."
  value       = one(concat(smtp_credential_password.this[*].encrypted_password, smtp_credential_pair.this[*].encrypted_password))
}

output "password" {
  description = "The password; null with `age_recipients`."
  value       = one(concat(smtp_credential_password.this[*].password, smtp_credential_pair.this[*].password))
  sensitive   = true
}

output "rotated_at" {
  description = "When the password was last reset here; null after an import."
  value       = one(concat(smtp_credential_password.this[*].rotated_at, smtp_credential_pair.this[*].rotated_at))
}

output "rotation_version" {
  description = "A number that grows with each rotation, for `*_wo_version` arguments."
  value       = one(concat(smtp_credential_password.this[*].rotation_version, smtp_credential_pair.this[*].rotation_version))
}

output "smtp_host" {
  description = "The submission server."
  value       = one(concat(smtp_credential_password.this[*].smtp_host, smtp_credential_pair.this[*].smtp_host))
}

output "smtp_port" {
  description = "Its port."
  value       = one(concat(smtp_credential_password.this[*].smtp_port, smtp_credential_pair.this[*].smtp_port))
}

output "stale" {
  description = "Whether the password is known to have stopped working."
  value       = one(concat(smtp_credential_password.this[*].stale, smtp_credential_pair.this[*].stale))
}

output "url" {
  description = "The URL that `lettre` and `nodemailer` read; null with `age_recipients`."
  value       = one([for this in concat(smtp_credential_password.this, smtp_credential_pair.this) : provider::smtp::url(this, "lettre")])
  sensitive   = true
}

output "username" {
  description = "The user name. With two credentials it changes with each rotation."
  value       = one(concat(smtp_credential_password.this[*].username, smtp_credential_pair.this[*].username))
}
