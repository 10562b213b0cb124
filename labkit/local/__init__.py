"""The local cloud: AWS's answers on this machine, without an account.

Nothing outside :func:`labkit.start` needs this package, and the AWS mode never imports it.
"""
