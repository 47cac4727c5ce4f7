variable "age_recipients" {
  description = "Recipients (age1…) to encrypt the password to. It is then in `encrypted_password` only."
  type        = list(string)
  default     = null
}

variable "on_external_change" {
  description = "What to do if somebody else resets the password: `warn`, `rotate` or `ignore`."
  type        = string
  default     = "warn"
}

variable "rotate_after" {
  description = "Age at which the password is rotated, such as `90d`."
  type        = string
  default     = null
}

variable "rotation_trigger" {
  description = "Any text. If it changes, the password is rotated."
  type        = string
  default     = null
}

variable "user_names" {
  description = "User names of one HubSpot credential, or of two that take turns."
  type        = list(string)
  nullable    = false

  validation {
    condition     = contains([1, 2], length(var.user_names)) && length(distinct(var.user_names)) == length(var.user_names)
    error_message = "One user name is needed, or two different ones."
  }
}

variable "verify" {
  description = "How to log in with a new password before the apply succeeds; `null` skips that."
  type = object({
    host       = optional(string)
    on_refresh = optional(bool)
    port       = optional(number)
    security   = optional(string)
    timeout    = optional(string)
  })
  default = {}
}
