"""The CXone outbound dialect (`cxone-v2-dialect.md`): codec and answers are pure, the client does the talking."""
