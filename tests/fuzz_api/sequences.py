def run_sequences(service, seed, count):
    return []
