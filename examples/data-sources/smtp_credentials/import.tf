import {
  for_each = { for credential in data.smtp_credentials.all.credentials : credential.username => credential }
  to       = smtp_credential_password.all[each.key]
  id       = each.value.id
}
