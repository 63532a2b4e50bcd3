"""Learning curves as they are made: a plan, modAL's loop, files that can be continued."""
