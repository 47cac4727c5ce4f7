resource "smtp_credential_password" "all" {
  for_each = { for credential in data.smtp_credentials.all.credentials : credential.username => credential }

  hubspot          = { user_name = each.value.username }
  rotation_mode    = "in_place"
  rotation_trigger = "2026-Q4"

  lifecycle {
    prevent_destroy = true # a list that lacks a credential does not cost its password
  }
}
