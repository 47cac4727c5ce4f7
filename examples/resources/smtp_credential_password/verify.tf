variable "smtp_port" {
  description = "Where HostUp's mail server takes mail with STARTTLS."
  type        = number
  default     = 587
}

resource "smtp_credential_password" "info" {
  hostup           = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3", address = "info@example.com" }
  rotation_trigger = "2026-Q4"
  smtp_port        = var.smtp_port

  verify = {
    timeout    = "2m" # how long the new password is tried
    on_refresh = true # and the stored one at every refresh
  }
}

check "the_new_password_logs_in" {
  assert {
    condition     = smtp_credential_password.info.verified != false
    error_message = "The password of info@example.com was reset, and does not log in."
  }
}
