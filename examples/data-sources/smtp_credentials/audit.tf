locals {
  known   = ["hubspot/zh48wgsfld@62515.smtp.hubspot.net"]
  unknown = setsubtract(data.smtp_credentials.all.credentials[*].id, local.known)
  ancient = [
    for credential in data.smtp_credentials.all.credentials : credential.id
    if credential.created_at == null ? false : timecmp(credential.created_at, "2010-01-01T00:00:00Z") < 0
  ]
}

check "smtp_credentials" {
  assert {
    condition     = length(local.unknown) == 0
    error_message = "Nobody has written down ${join(", ", local.unknown)}."
  }

  assert {
    condition     = length(local.ancient) == 0
    error_message = "Older than allowed: ${join(", ", local.ancient)}."
  }
}
