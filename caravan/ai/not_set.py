"""What to set where no model is: one sentence, the same wherever it is said."""

NOT_SET = (
    "No model is set: set AI_MODEL to provider:model (openai:gpt-5.2, say) and AI_API_KEY to its key, or AI_BASE_URL "
    "to an OpenAI-compatible server and AI_MODEL to the model's name there; `caravan ai local` starts one"
)
