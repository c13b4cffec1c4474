"""Learns how each account logs in, and alerts when a login is unlike it.

sources     read login events from files and databases
events      validate them; the store keeps each exactly once
baselines   know what is usual for one account
features    say how unusual each login is, feature by feature
detectors   turn an account's latest logins (sequences) into one raw oddness
scoring     calibrates it into a score and says which feature contributed what
alerting    groups odd logins into incidents with a headline, which channels deliver
review      takes the verdicts that calibration sets the next threshold from
"""
