"""Where the audit trail goes besides the run's folder: databases, object storage, syslog, webhooks."""
