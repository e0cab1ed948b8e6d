"""The banner: policies, legal lint, texts and the client scripts. Pure: same input, same bytes."""
