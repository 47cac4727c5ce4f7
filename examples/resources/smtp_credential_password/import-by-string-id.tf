import {
  to = smtp_credential_password.newsletter
  id = "hubspot/zh48wgsfld@62515.smtp.hubspot.net"
}
