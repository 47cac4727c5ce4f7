locals {
  takes_turns = length(var.user_names) == 2

  missing = setsubtract(var.user_names, data.smtp_credentials.account.credentials[*].username)
}

data "smtp_credentials" "account" {
  hubspot = {}
}

resource "smtp_credential_password" "this" {
  count = local.takes_turns ? 0 : 1

  hubspot            = { user_name = var.user_names[0] }
  age_recipients     = var.age_recipients
  on_external_change = var.on_external_change
  rotate_after       = var.rotate_after
  rotation_mode      = "in_place"
  rotation_trigger   = var.rotation_trigger
  verify             = var.verify

  lifecycle {
    precondition {
      condition     = length(local.missing) == 0
      error_message = "HubSpot has no credential for: ${join(", ", local.missing)}."
    }
  }
}

resource "smtp_credential_pair" "this" {
  count = local.takes_turns ? 1 : 0

  hubspot            = [for name in var.user_names : { user_name = name }]
  age_recipients     = var.age_recipients
  on_external_change = var.on_external_change
  rotate_after       = var.rotate_after
  rotation_trigger   = var.rotation_trigger
  verify             = var.verify

  lifecycle {
    precondition {
      condition     = length(local.missing) == 0
      error_message = "HubSpot has no credential for: ${join(", ", local.missing)}."
    }
  }
}
