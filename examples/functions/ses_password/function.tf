variable "secret_access_key" {
  description = "Of the IAM user who sends. With the AWS provider: aws_iam_access_key.smtp.secret."
  type        = string
  sensitive   = true
}

output "ses_smtp_password" {
  value     = provider::smtp::ses_password(var.secret_access_key, "eu-central-1")
  sensitive = true
}
