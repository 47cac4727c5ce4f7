resource "smtp_credential_password" "alerts" {
  kirim_email = {
    domain          = "example.com"
    credential_guid = "92703823-f3a4-48e2-8e87-7adf25454800"
  }

  on_external_change = "rotate"   # somebody else's reset is followed by one of ours …
  rotation_mode      = "in_place" # … as an update
}

check "the_stored_password_is_the_live_one" {
  assert {
    condition     = !smtp_credential_password.alerts.stale
    error_message = "The password of the alerts was reset elsewhere."
  }
}
