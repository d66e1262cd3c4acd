"""FlowPay as the sandbox plays it: transfers to banks, bank accounts, signed webhooks."""
