REST_SETTINGS = ()


def rest_errors(config):
    return []
