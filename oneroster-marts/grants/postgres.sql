-- Roles for who reads the marts on PostgreSQL. Run it after each build, as the user that builds and may create roles:
--
--     psql -v ON_ERROR_STOP=1 --single-transaction -f postgres.sql DATABASE
--
-- marts_shared               reads schema shared
-- marts_restricted_<school>  reads shared, and in schema restricted the rows of that school in marts that have a school
--
-- Give people the role of their school, such as: grant "marts_restricted_00001" to counsellor;
-- Roles are those of the server: change their names where it has several districts.
-- A build makes tables anew, without grants. Those of shared are granted at once; those of restricted are closed until
-- this file is run again, since a new table would show the rows of all schools.

do $$
declare
    school record;
    role_name text;
begin
    foreach role_name in array array['marts_shared', 'marts_restricted'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('create role %I nologin', role_name);
        end if;
    end loop;
    grant marts_shared to marts_restricted;
    for school in select school_id from restricted.dim_school loop
        role_name := 'marts_restricted_' || school.school_id;
        if octet_length(role_name) > 63 then
            raise exception 'a school''s id is longer than 46 bytes, and PostgreSQL would cut the name of its role: %', school.school_id;
        end if;
        if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('create role %I nologin', role_name);
        end if;
        execute format('grant marts_restricted to %I', role_name);
    end loop;
end
$$;

grant usage on schema shared to marts_shared;
grant select on all tables in schema shared to marts_shared;
alter default privileges in schema shared grant select on tables to marts_shared;

-- The ids of the schools whose role the reader has.
create or replace function restricted.own_schools() returns setof text
language sql stable
as $$
    select substr(rolname, length('marts_restricted_') + 1)
    from pg_catalog.pg_roles
    where starts_with(rolname, 'marts_restricted_') and pg_has_role(current_user, oid, 'usage')
$$;

revoke all on all tables in schema restricted from marts_shared, marts_restricted;
grant usage on schema restricted to marts_restricted;
grant execute on function restricted.own_schools() to marts_restricted;

-- Marts that are in shared, too, and those that are in restricted only.
do $$
declare
    mart record;
begin
    for mart in
        select its.table_name, string_agg(format('%I in (select restricted.own_schools())', its.column_name), ' or ') as is_own
        from information_schema.columns as its
        where its.table_schema = 'restricted'
            and its.column_name in ('school_id', 'from_school_id', 'to_school_id')
            and (
                its.table_name in ('teacher_load', 'transfer', 'worklist')
                or its.table_name in (select table_name from information_schema.tables where table_schema = 'shared')
            )
        group by its.table_name
    loop
        execute format('alter table restricted.%I enable row level security', mart.table_name);
        execute format('drop policy if exists own_schools on restricted.%I', mart.table_name);
        execute format('create policy own_schools on restricted.%I for select to marts_restricted using (%s)', mart.table_name, mart.is_own);
        execute format('grant select on restricted.%I to marts_restricted', mart.table_name);
    end loop;
end
$$;
