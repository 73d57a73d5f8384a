{{ staged('scoreScales', [
    ('sourcedId', 'scale_id', 'text'),
    ('scoreScaleValue', 'scale_values', 'objects'),
]) }}
