# No vendor is called and nothing is reset: terraform test
mock_provider "smtp" {
  mock_resource "smtp_credential_password" {
    defaults = {
      encrypted_password = null
      id                 = "hubspot/news@62515.smtp.hubspot.net"
      password           = "not-a-real-password"
      previous           = null
      remote_version     = null
      rotated_at         = "2026-11-20T20:42:52.679243Z"
      rotation_due       = false
      rotation_version   = 1795207372
      smtp_host          = "smtp.hubapi.com"
      smtp_port          = 587
      stale              = false
      username           = "news@62515.smtp.hubspot.net"
      verified           = true
    }
  }

  mock_resource "smtp_credential_pair" {
    defaults = {
      current            = "hubspot/alerts-b@62515.smtp.hubspot.net"
      encrypted_password = null
      id                 = "hubspot/alerts-a@62515.smtp.hubspot.net,hubspot/alerts-b@62515.smtp.hubspot.net"
      password           = "not-a-real-password"
      previous           = "hubspot/alerts-a@62515.smtp.hubspot.net"
      remote_version     = null
      rotated_at         = "2026-11-20T20:42:52.679243Z"
      rotation_due       = false
      rotation_version   = 1795207372
      smtp_host          = "smtp.hubapi.com"
      smtp_port          = 587
      stale              = false
      username           = "alerts-b@62515.smtp.hubspot.net"
      verified           = true
    }
  }

  mock_data "smtp_credentials" {
    defaults = {
      credentials = [
        {
          id             = "hubspot/news@62515.smtp.hubspot.net"
          username       = "news@62515.smtp.hubspot.net"
          created_at     = "2026-01-01T00:00:00Z"
          remote_version = null
        },
        {
          id             = "hubspot/alerts-a@62515.smtp.hubspot.net"
          username       = "alerts-a@62515.smtp.hubspot.net"
          created_at     = "2026-01-01T00:00:00Z"
          remote_version = null
        },
        {
          id             = "hubspot/alerts-b@62515.smtp.hubspot.net"
          username       = "alerts-b@62515.smtp.hubspot.net"
          created_at     = "2026-01-01T00:00:00Z"
          remote_version = null
        },
      ]
    }
  }
}

run "one_credential" {
  variables {
    user_names = ["news@62515.smtp.hubspot.net"]
  }

  assert {
    condition     = length(smtp_credential_password.this) == 1 && length(smtp_credential_pair.this) == 0
    error_message = "One credential is a smtp_credential_password."
  }

  assert {
    condition     = smtp_credential_password.this[0].rotation_mode == "in_place"
    error_message = "A rotation that fails must leave the password in the state."
  }

  assert {
    condition     = output.url == "smtp://news%4062515.smtp.hubspot.net:not-a-real-password@smtp.hubapi.com:587?tls=required"
    error_message = "The URL is wrong."
  }
}

run "two_that_take_turns" {
  variables {
    user_names = ["alerts-a@62515.smtp.hubspot.net", "alerts-b@62515.smtp.hubspot.net"]
  }

  assert {
    condition     = length(smtp_credential_password.this) == 0 && length(smtp_credential_pair.this) == 1
    error_message = "Two credentials are a smtp_credential_pair."
  }

  assert {
    condition     = output.username == "alerts-b@62515.smtp.hubspot.net" && output.smtp_port == 587
    error_message = "The outputs are those of the current credential."
  }
}

run "encrypted" {
  variables {
    age_recipients = ["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"]
    user_names     = ["encrypted@62515.smtp.hubspot.net"]
  }

  override_data {
    target = data.smtp_credentials.account
    values = {
      credentials = [
        {
          id             = "hubspot/encrypted@62515.smtp.hubspot.net"
          username       = "encrypted@62515.smtp.hubspot.net"
          created_at     = null
          remote_version = null
        },
      ]
    }
  }

  override_resource {
    target = smtp_credential_password.this
    values = {
      encrypted_password = "-----BEGIN AGE ENCRYPTED FILE-----"
      password           = null
    }
  }

  assert {
    condition     = output.password == null && output.url == null && output.encrypted_password != null
    error_message = "Nothing readable is passed on."
  }
}

run "a_credential_that_does_not_exist" {
  command = plan

  variables {
    user_names = ["typo@62515.smtp.hubspot.net"]
  }

  expect_failures = [smtp_credential_password.this]
}

run "three_credentials" {
  command = plan

  variables {
    user_names = ["a@62515.smtp.hubspot.net", "b@62515.smtp.hubspot.net", "c@62515.smtp.hubspot.net"]
  }

  expect_failures = [var.user_names]
}

run "the_same_one_twice" {
  command = plan

  variables {
    user_names = ["news@62515.smtp.hubspot.net", "news@62515.smtp.hubspot.net"]
  }

  expect_failures = [var.user_names]
}
