{# Where models are written. The schemas are named as they are configured, without the profile's schema before them. #}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {{ custom_database_name or model_database(node) }}
{%- endmacro %}
