import {
  to       = smtp_credential_password.newsletter
  identity = { id = "hubspot/zh48wgsfld@62515.smtp.hubspot.net" }
}
