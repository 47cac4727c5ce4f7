locals {
  smtp = smtp_credential_password.newsletter

  # `urlencode` writes a space as `+`, which stands for itself in a password.
  smtp_url = local.smtp.password == null || local.smtp.smtp_host == null ? null : format(
    "smtp://%s:%s@%s:%d?requireTLS=true",
    replace(urlencode(local.smtp.username), "+", "%20"),
    replace(urlencode(local.smtp.password), "+", "%20"),
    local.smtp.smtp_host,
    local.smtp.smtp_port,
  )
}

output "nodemailer_url" {
  value     = local.smtp_url
  sensitive = true
}
