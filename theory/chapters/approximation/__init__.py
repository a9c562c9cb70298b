"""The chapter on universal approximation, with the claims it rests on."""
