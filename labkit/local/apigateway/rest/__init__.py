"""The data plane of REST APIs: a pipeline of gates over a deployed snapshot.

Each gate is one small function from a call to an outcome, always with a reason. The outcomes are the journey.
Facts: labkit/local/ledger/facts.
"""
