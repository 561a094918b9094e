"""Methods: prompts + objectives + the published hyper-parameters, as small declarative recipes."""
