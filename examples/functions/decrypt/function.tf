variable "age_identity" {
  description = "An AGE-SECRET-KEY-1… line, or the text of an identity file."
  type        = string
  ephemeral   = true
}

variable "store" {
  description = "A command that stores what it reads, such as `vault kv put secret/smtp password=-`."
  type        = string
}

resource "terraform_data" "smtp_password" {
  triggers_replace = smtp_credential_password.newsletter.rotation_version

  provisioner "local-exec" {
    command = "printf %s \"$SMTP_PASSWORD\" | ${var.store}"
    environment = {
      SMTP_PASSWORD = provider::smtp::decrypt(smtp_credential_password.newsletter.encrypted_password, var.age_identity)
    }
  }
}
