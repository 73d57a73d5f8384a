-- Roles for who reads the marts on Snowflake. Run it after each build in the marts' database, with the role that builds and may
-- create roles. It was written from Snowflake's documentation, and not run on an account: try it before you rely on it.
--
-- MARTS_SHARED               reads schema shared
-- MARTS_RESTRICTED_<school>  reads shared, and in schema restricted the rows of that school in marts that have a school
--
-- Give people the role of their school, such as: grant role "MARTS_RESTRICTED_00001" to user counsellor;
-- They need USAGE on the database and on a warehouse, too. Roles are those of the account: change their names where it has several districts.
-- A build replaces tables, without grants and policies. Those of shared are granted at once; those of restricted are closed until
-- this file is run again. So never grant future tables of restricted: a new table would show the rows of all schools.

create role if not exists marts_shared;
create role if not exists marts_restricted;
grant role marts_shared to role marts_restricted;
grant usage on schema shared to role marts_shared;
grant select on all tables in schema shared to role marts_shared;
grant select on future tables in schema shared to role marts_shared;
grant usage on schema restricted to role marts_restricted;

-- Whose role is whose school; the role that builds reads all rows.
create or replace table restricted.role_of_school as
select 'MARTS_RESTRICTED_' || school_id as role_name, school_id from restricted.dim_school
union all
select current_role(), null;

create row access policy if not exists restricted.own_rows as (at_school varchar) returns boolean ->
    exists (
        select 1
        from restricted.role_of_school as its
        where is_role_in_session(its.role_name) and (its.school_id is null or its.school_id = at_school)
    );

create row access policy if not exists restricted.own_moves as (from_school varchar, to_school varchar) returns boolean ->
    exists (
        select 1
        from restricted.role_of_school as its
        where is_role_in_session(its.role_name)
            and (its.school_id is null or its.school_id = from_school or its.school_id = to_school)
    );

execute immediate $$
declare
    schools cursor for select role_name from restricted.role_of_school where school_id is not null;
    marts cursor for
        select its.table_name,
            min(case
                when its.column_name = 'TO_SCHOOL_ID' then 'own_moves on (from_school_id, to_school_id)'
                else 'own_rows on (school_id)'
            end) as policy
        from information_schema.columns as its
        where its.table_schema = 'RESTRICTED'
            and its.column_name in ('SCHOOL_ID', 'TO_SCHOOL_ID')
            and (
                its.table_name in ('TEACHER_LOAD', 'TRANSFER', 'WORKLIST')
                or its.table_name in (select table_name from information_schema.tables where table_schema = 'SHARED')
            )
        group by its.table_name;
    name varchar;
begin
    for school in schools do
        name := '"' || replace(school.role_name, '"', '""') || '"';
        execute immediate 'create role if not exists ' || name;
        execute immediate 'grant role marts_restricted to role ' || name;
    end for;
    for mart in marts do
        name := 'restricted.' || mart.table_name;
        execute immediate 'alter table ' || name || ' drop all row access policies';
        execute immediate 'alter table ' || name || ' add row access policy restricted.' || mart.policy;
        execute immediate 'grant select on table ' || name || ' to role marts_restricted';
    end for;
end;
$$;
