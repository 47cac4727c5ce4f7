import {
  to       = smtp_credential_pair.newsletter
  identity = { id = "hubspot/newsletter-a@62515.smtp.hubspot.net,hubspot/newsletter-b@62515.smtp.hubspot.net" }
}
