terraform import smtp_credential_password.newsletter hubspot/zh48wgsfld@62515.smtp.hubspot.net
