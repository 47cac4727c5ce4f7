variable "example_mail_token" {
  type      = string
  sensitive = true
}

provider "smtp" {
  http {
    base_url            = "http://127.0.0.1:8025/example-mail/v1"
    credential          = "domain/user"
    bearer_token        = var.example_mail_token
    max_password_length = 64

    reset {
      method  = "PUT"
      path    = "/domains/{domain}/users/{user}/password"
      json    = jsonencode({ password = "{password}" })
      success = { "/ok" = "true" }
      refused = { "/ok" = "false" }
      version = "/changed_at"
    }
    read {
      path    = "/domains/{domain}/users/{user}"
      match   = { "/user/name" = "{user}" }
      version = "/user/changed_at"
    }
    error {
      message = "/error/message"
      code    = "/error/code"
    }
    smtp {
      host     = "localhost"
      port     = 2525
      username = "{user}@{domain}"
    }
  }
}
